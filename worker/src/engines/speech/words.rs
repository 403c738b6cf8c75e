//! Words: the names of the ten digits, by language. Accents and case are folded before they are compared.

/// One entry a digit, from zero; variants are separated by spaces.
pub(super) type Names = [&'static str; 10];

/// The words of a language.
pub(super) struct Words {
    pub(super) words: &'static [&'static str],
    /// No spaces stand between words in its script.
    pub(super) unspaced: bool,
}

/// Languages that have a table here; in the others only figures and English words are read.
#[cfg(test)]
pub(super) const LANGUAGES_WITH_WORDS: &[&str] = &[
    "ar", "bg", "ca", "cmn", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fil", "fr", "he", "hi", "hr",
    "hu", "id", "it", "ja", "ko", "ms", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sr", "sv", "sw", "th",
    "tr", "uk", "ur", "vi", "yue", "zh",
];

pub(super) const ENGLISH: &Names =
    &["zero oh nought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine niner"];

const NONE: &[&str] = &[];
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
const NORWEGIAN: &Names = &["null", "en ett", "to", "tre", "fire", "fem", "seks", "sju syv", "åtte", "ni"];
const PERSIAN: &Names = &["صفر", "یک يك", "دو", "سه", "چهار", "پنج", "شش شیش", "هفت", "هشت", "نه"];
const POLISH: &Names =
    &["zero", "jeden jedna", "dwa dwie", "trzy", "cztery", "pięć", "sześć", "siedem", "osiem", "dziewięć"];
const PORTUGUESE: &Names =
    &["zero", "um uma", "dois duas", "três", "quatro", "cinco", "seis meia", "sete", "oito", "nove"];
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
const SPANISH: &Names =
    &["cero sero", "uno un una", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"];
const SWAHILI: &Names = &["sifuri", "moja", "mbili", "tatu", "nne", "tano", "sita", "saba", "nane", "tisa"];
const SWEDISH: &Names = &["noll", "ett en", "två", "tre", "fyra", "fem", "sex", "sju", "åtta", "nio"];
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
        "ar" => spaced(ARABIC),
        "bg" => spaced(BULGARIAN),
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
        "he" => spaced(HEBREW),
        "hi" => spaced(HINDI),
        "hr" | "sr" => spaced(SERBIAN),
        "hu" => spaced(HUNGARIAN),
        "id" | "ms" => spaced(INDONESIAN),
        "it" => spaced(ITALIAN),
        "ja" => unspaced(JAPANESE),
        "ko" => spaced(KOREAN),
        "nb" => spaced(NORWEGIAN),
        "nl" => spaced(DUTCH),
        "pl" => spaced(POLISH),
        "pt" => spaced(PORTUGUESE),
        "ro" => spaced(ROMANIAN),
        "ru" => spaced(RUSSIAN),
        "sk" => spaced(SLOVAK),
        "sv" => spaced(SWEDISH),
        "sw" => spaced(SWAHILI),
        "th" => unspaced(THAI),
        "tr" => spaced(TURKISH),
        "uk" => spaced(UKRAINIAN),
        "ur" => spaced(URDU),
        "vi" => spaced(VIETNAMESE),
        "cmn" | "yue" | "zh" => unspaced(CHINESE),
        _ => Words { words: NONE, unspaced: false },
    }
}
