import requests
data = { "audiochallenge" : "YOUR_AUDIO_CHALLENGE", "languageCode" : "YOUR_LANGUAGE_CODE", "api_key" : "YOUR_API_KEY" }
files = { "id_card" : open('/path/to/your/id_card.jpg', 'rb'), "video" : open('/path/to/your/selfie_video.mp4', 'rb') }
r = requests.post("https://api.onesmartlab.com/v1.1/videoverify", data=data, files=files)
print(r.text)
