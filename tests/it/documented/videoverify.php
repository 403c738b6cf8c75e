$url = "https://api.onesmartlab.com/v1.1/photoverify"
$data = array(
"api_key" => "YOUR_API_KEY",
"audiochallenge" => "YOUR_AUDIO_CHALLENGE",
"languageCode" => "YOUR_LANGUAGE_CODE",
"id_card" => new \CurlFile("/path/to/your/selfie.jpg", 'image/jpeg', 'id_pic.jpg'),
"video" => new \CurlFile("/path/to/your/selfie_video.mp4", 'video/mp4', 'selfie_video.mp4')
);
$curl = curl_init();
curl_setopt($curl, CURLOPT_POST, 1);
curl_setopt($curl, CURLOPT_POSTFIELDS, $data);
curl_setopt($curl, CURLOPT_URL, $url);
curl_setopt($curl, CURLOPT_RETURNTRANSFER, 1);
$result = curl_exec($curl);
curl_close($curl);
print_r($result)
