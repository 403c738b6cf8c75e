id_card=/path/to/your/id_card.jpg
video=/path/to/your/selfie_video.mp4
server="https://api.onesmartlab.com/v1.1/videoverify"
audiochallenge="YOUR_6_DIGIT_AUDIOCHALLENGE"
languageCode="YOUR_LANGUAGE_CODE"
api_key="YOUR_API_KEY"
curl -X POST \
-F "api_key=$api_key" \
-F "id_card=@$id_card" \
-F "video=@$video" \
-F "audiochallenge=$audiochallenge" \
-F "languageCode=$languageCode" $server
