import requests
data = { "api_key" : "YOUR_API_KEY" }
files = { "id_card" : open('/path/to/your/id_card.jpg', 'rb'), "photo" : open('/path/to/your/selfie_photo.jpg', 'rb') }
r = requests.post("https://api.onesmartlab.com/v1.1/photoverify", data=data, files=files)
print(r.text)
