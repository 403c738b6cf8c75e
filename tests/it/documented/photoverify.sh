id_card=/path/to/your/id_card.jpg
photo=/path/to/your/selfie_pic.jpg
server="https://api.onesmartlab.com/v1.1/photoverify"
api_key="YOUR_API_KEY"
curl -X POST \
-F "api_key=$api_key" \
-F "id_card=@$id_card" \
-F "photo=@$photo" \
$server
