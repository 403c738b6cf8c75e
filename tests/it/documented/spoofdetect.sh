photo=/path/to/your/photo.jpg
server="https://api.onesmartlab.com/v1.1/spoofdetect"
api_key="YOUR_API_KEY"
curl -X POST \
-F "api_key=$api_key" \
-F "photo=@$photo" \
$server
