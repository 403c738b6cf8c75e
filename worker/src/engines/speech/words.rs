//! Words: the names of the ten digits, by language. Accents and case are folded before they are compared.

/// One entry a digit, from zero; variants are separated by spaces.
pub(super) type Names = [&'static str; 10];

/// The words of a language.
pub(super) struct Words {
    pub(super) words: &'static [&'static str],
    /// No spaces stand between words in its script.
    pub(super) unspaced: bool,
}

pub(super) const ENGLISH: &Names =
    &["zero oh nought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine niner"];

const NONE: &[&str] = &[];
const AFRIKAANS: &Names = &["nul", "een", "twee", "drie", "vier", "vyf", "ses", "sewe", "agt", "nege"];
const ARABIC: &Names = &[
    "صفر زيرو",
    "واحد واحدة",
    "اثنان اثنين اثنتان تنين",
    "ثلاثة ثلاث تلاتة",
    "أربعة أربع اربعه",
    "خمسة خمس خمسه",
    "ستة ست سته",
    "سبعة سبع سبعه",
    "ثمانية ثماني ثمان تمانية",
    "تسعة تسع تسعه",
];
const BENGALI: &Names = &["শূন্য জিরো", "এক", "দুই", "তিন", "চার", "পাঁচ পাচ", "ছয়", "সাত", "আট", "নয়"];
const BULGARIAN: &Names =
    &["нула", "едно един една", "две два", "три", "четири", "пет", "шест", "седем", "осем", "девет"];
const CATALAN: &Names =
    &["zero", "u un una", "dos dues", "tres", "quatre", "cinc", "sis", "set", "vuit huit", "nou"];
const CHINESE: &Names = &[
    "零 〇 洞 令 靈",
    "一 幺 么 壹",
    "二 两 兩 贰 貳",
    "三 叁 參",
    "四 肆",
    "五 伍",
    "六 陆 陸",
    "七 柒 拐",
    "八 捌",
    "九 玖 勾",
];
const CZECH: &Names =
    &["nula", "jedna jeden jedno", "dva dve", "tri", "ctyri", "pet", "sest", "sedm", "osm", "devet"];
const DANISH: &Names = &["nul", "en et", "to", "tre", "fire", "fem", "seks", "syv", "otte", "ni"];
const DUTCH: &Names = &["nul", "een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen"];
const FILIPINO: &Names = &[
    "sero",
    "isa uno",
    "dalawa dos",
    "tatlo tres",
    "apat kuwatro",
    "lima singko",
    "anim sais",
    "pito siyete",
    "walo otso",
    "siyam nuwebe",
];
const FINNISH: &Names = &[
    "nolla",
    "yksi yks",
    "kaksi kaks",
    "kolme",
    "nelja",
    "viisi viis",
    "kuusi kuus",
    "seitseman",
    "kahdeksan",
    "yhdeksan",
];
const FRENCH: &Names = &["zéro", "un une", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"];
const GERMAN: &Names =
    &["null", "eins ein", "zwei zwo", "drei", "vier", "fünf funf fuenf", "sechs", "sieben", "acht", "neun"];
const GREEK: &Names = &[
    "μηδέν",
    "ένα ένας μία",
    "δύο",
    "τρία τρεις",
    "τέσσερα τέσσερις",
    "πέντε",
    "έξι",
    "επτά εφτά",
    "οκτώ οχτώ",
    "εννέα εννιά",
];
const GUJARATI: &Names = &["શૂન્ય ઝીરો", "એક", "બે", "ત્રણ", "ચાર", "પાંચ", "છ", "સાત", "આઠ", "નવ"];
const HEBREW: &Names = &[
    "אפס",
    "אחת אחד",
    "שתיים שניים שתים שנים",
    "שלוש שלושה",
    "ארבע ארבעה",
    "חמש חמישה",
    "שש שישה",
    "שבע שבעה",
    "שמונה",
    "תשע תשעה",
];
const HINDI: &Names =
    &["शून्य ज़ीरो जीरो", "एक वन", "दो टू", "तीन", "चार", "पाँच पांच पाच", "छह छः छ छे", "सात", "आठ", "नौ"];
const HUNGARIAN: &Names =
    &["nulla", "egy", "kettő két", "három", "négy", "öt", "hat", "hét", "nyolc", "kilenc"];
const ICELANDIC: &Names = &[
    "núll",
    "einn eitt ein",
    "tveir tvö tvær",
    "þrír þrjú þrjár",
    "fjórir fjögur fjórar",
    "fimm",
    "sex",
    "sjö",
    "átta",
    "níu",
];
const INDONESIAN: &Names = &[
    "nol kosong sifar",
    "satu",
    "dua",
    "tiga",
    "empat",
    "lima",
    "enam",
    "tujuh",
    "delapan lapan",
    "sembilan",
];
const ITALIAN: &Names =
    &["zero", "uno un una", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove"];
const JAPANESE: &Names = &[
    "ゼロ ぜろ れい レイ まる マル 零 〇",
    "いち イチ 一",
    "に ニ 二",
    "さん サン 三",
    "よん ヨン し シ 四",
    "ご ゴ 五",
    "ろく ロク 六",
    "なな ナナ しち シチ 七",
    "はち ハチ 八",
    "きゅう キュウ く ク 九",
];
const JAVANESE: &Names = &["nol", "siji", "loro", "telu", "papat", "lima", "enem", "pitu", "wolu", "sanga"];
const KOREAN: &Names = &[
    "영 공 제로",
    "일 하나",
    "이 둘",
    "삼 셋",
    "사 넷",
    "오 다섯",
    "육 륙 여섯",
    "칠 일곱",
    "팔 여덟",
    "구 아홉",
];
const LATVIAN: &Names =
    &["nulle", "viens", "divi", "trīs", "četri", "pieci", "seši", "septiņi", "astoņi", "deviņi"];
const LITHUANIAN: &Names =
    &["nulis", "vienas", "du", "trys", "keturi", "penki", "šeši", "septyni", "aštuoni", "devyni"];
const MALAYALAM: &Names = &["പൂജ്യം", "ഒന്ന്", "രണ്ട്", "മൂന്ന്", "നാല്", "അഞ്ച്", "ആറ്", "ഏഴ്", "എട്ട്", "ഒമ്പത് ഒൻപത്"];
const MARATHI: &Names = &["शून्य झीरो", "एक", "दोन", "तीन", "चार", "पाच पांच", "सहा", "सात", "आठ", "नऊ"];
const NORWEGIAN: &Names = &["null", "en ett", "to", "tre", "fire", "fem", "seks", "sju syv", "åtte", "ni"];
const PERSIAN: &Names = &["صفر", "یک يك", "دو", "سه", "چهار", "پنج", "شش شیش", "هفت", "هشت", "نه"];
const POLISH: &Names =
    &["zero", "jeden jedna", "dwa dwie", "trzy", "cztery", "pięć", "sześć", "siedem", "osiem", "dziewięć"];
const PORTUGUESE: &Names =
    &["zero", "um uma", "dois duas", "três", "quatro", "cinco", "seis meia", "sete", "oito", "nove"];
const PUNJABI: &Names = &["ਸਿਫ਼ਰ ਸਿਫਰ ਜ਼ੀਰੋ ਜੀਰੋ", "ਇੱਕ ਇਕ", "ਦੋ", "ਤਿੰਨ", "ਚਾਰ", "ਪੰਜ", "ਛੇ", "ਸੱਤ", "ਅੱਠ", "ਨੌਂ ਨੌ"];
const ROMANIAN: &Names =
    &["zero", "unu un una", "doi două", "trei", "patru", "cinci", "șase", "șapte", "opt", "nouă"];
const RUSSIAN: &Names =
    &["ноль нуль", "один раз одна", "два две", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять"];
const SERBIAN: &Names = &[
    "nula нула",
    "jedan jedna један једна",
    "dva dve dvije два две",
    "tri три",
    "četiri четири",
    "pet пет",
    "šest шест",
    "sedam седам",
    "osam осам",
    "devet девет",
];
const SLOVAK: &Names =
    &["nula", "jeden jedna", "dva dve", "tri", "štyri", "päť", "šesť", "sedem", "osem", "deväť"];
const SLOVENE: &Names =
    &["nič nula", "ena en", "dva dve", "tri", "štiri", "pet", "šest", "sedem", "osem", "devet"];
const SPANISH: &Names =
    &["cero sero", "uno un una", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"];
const SWAHILI: &Names = &["sifuri", "moja", "mbili", "tatu", "nne", "tano", "sita", "saba", "nane", "tisa"];
const SWEDISH: &Names = &["noll", "ett en", "två", "tre", "fyra", "fem", "sex", "sju", "åtta", "nio"];
const TAMIL: &Names =
    &["பூஜ்ஜியம் பூச்சியம் சுழியம்", "ஒன்று", "இரண்டு", "மூன்று", "நான்கு நாலு", "ஐந்து", "ஆறு", "ஏழு", "எட்டு", "ஒன்பது"];
const TELUGU: &Names = &["సున్నా సున్న జీరో", "ఒకటి", "రెండు", "మూడు", "నాలుగు", "ఐదు", "ఆరు", "ఏడు", "ఎనిమిది", "తొమ్మిది"];
const THAI: &Names = &["ศูนย์ สูญ", "หนึ่ง นึง", "สอง", "สาม", "สี่", "ห้า", "หก", "เจ็ด", "แปด", "เก้า"];
const TURKISH: &Names =
    &["sıfır sifir", "bir", "iki", "üç", "dört", "beş", "altı alti", "yedi", "sekiz", "dokuz"];
const UKRAINIAN: &Names = &[
    "нуль",
    "один одна раз",
    "два дві",
    "три",
    "чотири",
    "пять п'ять",
    "шість",
    "сім",
    "вісім",
    "девять дев'ять",
];
const URDU: &Names = &["صفر زیرو", "ایک", "دو", "تین", "چار", "پانچ", "چھ چھے", "سات", "آٹھ", "نو"];
const VIETNAMESE: &Names =
    &["không", "một mốt", "hai", "ba", "bốn tư", "năm lăm", "sáu", "bảy bẩy", "tám", "chín"];

pub(super) fn words_of(primary: &str) -> Words {
    let spaced = |names: &'static Names| Words { words: names, unspaced: false };
    let unspaced = |names: &'static Names| Words { words: names, unspaced: true };
    match primary {
        "af" => spaced(AFRIKAANS),
        "ar" => spaced(ARABIC),
        "bg" => spaced(BULGARIAN),
        "bn" => spaced(BENGALI),
        "ca" => spaced(CATALAN),
        "cs" => spaced(CZECH),
        "da" => spaced(DANISH),
        "de" => spaced(GERMAN),
        "el" => spaced(GREEK),
        "en" => spaced(ENGLISH),
        "es" => spaced(SPANISH),
        "fa" => spaced(PERSIAN),
        "fi" => spaced(FINNISH),
        "fil" => spaced(FILIPINO),
        "fr" => spaced(FRENCH),
        "gu" => spaced(GUJARATI),
        "he" => spaced(HEBREW),
        "hi" => spaced(HINDI),
        "hr" | "sr" => spaced(SERBIAN),
        "hu" => spaced(HUNGARIAN),
        "id" | "ms" => spaced(INDONESIAN),
        "is" => spaced(ICELANDIC),
        "it" => spaced(ITALIAN),
        "ja" => unspaced(JAPANESE),
        "jv" => spaced(JAVANESE),
        "ko" => spaced(KOREAN),
        "lt" => spaced(LITHUANIAN),
        "lv" => spaced(LATVIAN),
        "ml" => spaced(MALAYALAM),
        "mr" => spaced(MARATHI),
        "nb" => spaced(NORWEGIAN),
        "nl" => spaced(DUTCH),
        "pa" => spaced(PUNJABI),
        "pl" => spaced(POLISH),
        "pt" => spaced(PORTUGUESE),
        "ro" => spaced(ROMANIAN),
        "ru" => spaced(RUSSIAN),
        "sk" => spaced(SLOVAK),
        "sl" => spaced(SLOVENE),
        "sv" => spaced(SWEDISH),
        "sw" => spaced(SWAHILI),
        "ta" => spaced(TAMIL),
        "te" => spaced(TELUGU),
        "th" => unspaced(THAI),
        "tr" => spaced(TURKISH),
        "uk" => spaced(UKRAINIAN),
        "ur" => spaced(URDU),
        "vi" => spaced(VIETNAMESE),
        "cmn" | "yue" | "zh" => unspaced(CHINESE),
        _ => Words { words: NONE, unspaced: false },
    }
}
