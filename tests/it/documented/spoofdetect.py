import requests
data = { "api_key" : "YOUR_API_KEY" }
files= { "photo" : open('/path/to/your/photo.jpg', 'rb') }
r = requests.post("https://api.onesmartlab.com/v1.1/spoofdetect", data=data, files=files)
print(r.text)
