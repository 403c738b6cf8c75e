$url = "https://api.onesmartlab.com/v1.1/spoofdetect"
$data = array(
"api_key" => "YOUR_API_KEY",
"id_card" => new \CurlFile("/path/to/your/photo.jpg", 'image/jpeg', 'photo.jpg')
);
$curl = curl_init();
curl_setopt($curl, CURLOPT_POST, 1);
curl_setopt($curl, CURLOPT_POSTFIELDS, $data);
curl_setopt($curl, CURLOPT_URL, $url);
curl_setopt($curl, CURLOPT_RETURNTRANSFER, 1);
$result = curl_exec($curl);
curl_close($curl);
print_r($result)
