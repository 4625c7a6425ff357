/** Where the customers are: how they write, what they pay in, and which clocks hang on their walls. */
import type { Currency } from "./currencies.ts";

export interface Country {
  readonly locale: string;
  readonly currency: Currency;
  readonly zones: readonly string[];
  /** Of all customers, in parts. */
  readonly share: number;
  readonly given: readonly string[];
  readonly family: readonly string[];
  readonly familyFirst?: true;
}

export const countries: readonly Country[] = [
  {
    locale: "en-US",
    currency: "USD",
    zones: ["America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"],
    share: 20,
    given: ["Ava", "Ethan", "Grace", "Logan", "Nora", "Samuel"],
    family: ["Baker", "Carter", "Flores", "Nguyen", "Reed", "Walsh"],
  },
  {
    locale: "de-DE",
    currency: "EUR",
    zones: ["Europe/Berlin"],
    share: 12,
    given: ["Anna", "Emil", "Ida", "Jonas", "Lena", "Paul"],
    family: ["Becker", "Fuchs", "Hartmann", "Krüger", "Schäfer", "Vogel"],
  },
  {
    locale: "fr-FR",
    currency: "EUR",
    zones: ["Europe/Paris"],
    share: 8,
    given: ["Camille", "Hugo", "Inès", "Jules", "Louise", "Théo"],
    family: ["Bernard", "Dubois", "Lefèvre", "Moreau", "Petit", "Rousseau"],
  },
  {
    locale: "en-GB",
    currency: "GBP",
    zones: ["Europe/London"],
    share: 8,
    given: ["Alice", "Freya", "George", "Harriet", "Oliver", "Theo"],
    family: ["Bennett", "Clarke", "Hughes", "Patel", "Turner", "Wright"],
  },
  {
    locale: "ja-JP",
    currency: "JPY",
    zones: ["Asia/Tokyo"],
    share: 8,
    given: ["葵", "陽翔", "結衣", "蓮", "美咲", "大和"],
    family: ["佐藤", "鈴木", "高橋", "田中", "渡辺", "山本"],
    familyFirst: true,
  },
  {
    locale: "en-IN",
    currency: "INR",
    zones: ["Asia/Kolkata"],
    share: 6,
    given: ["Aarav", "Diya", "Ishaan", "Kavya", "Rohan", "Sara"],
    family: ["Gupta", "Iyer", "Khan", "Menon", "Sharma", "Singh"],
  },
  {
    locale: "pt-BR",
    currency: "BRL",
    zones: ["America/Sao_Paulo", "America/Manaus"],
    share: 6,
    given: ["Beatriz", "Davi", "Helena", "João", "Laura", "Miguel"],
    family: ["Almeida", "Costa", "Lima", "Oliveira", "Santos", "Souza"],
  },
  {
    locale: "ar-KW",
    currency: "KWD",
    zones: ["Asia/Kuwait"],
    share: 4,
    given: ["أحمد", "دانة", "فهد", "مريم", "نورة", "يوسف"],
    family: ["الرشيد", "الصباح", "العنزي", "الكندري", "المطيري", "الهاجري"],
  },
  {
    locale: "ar-TN",
    currency: "TND",
    zones: ["Africa/Tunis"],
    share: 2,
    given: ["أمين", "سلمى", "كريم", "ليلى", "هيثم", "ياسمين"],
    family: ["الطرابلسي", "بن علي", "الجبالي", "الزواري", "الماجري", "السعيدي"],
  },
  {
    locale: "en-CA",
    currency: "CAD",
    zones: ["America/Toronto", "America/Vancouver", "America/St_Johns"],
    share: 4,
    given: ["Chloe", "Liam", "Maya", "Noah", "Sophie", "William"],
    family: ["Campbell", "Gagnon", "MacDonald", "Roy", "Tremblay", "Wong"],
  },
  {
    locale: "fr-CH",
    currency: "CHF",
    zones: ["Europe/Zurich"],
    share: 3,
    given: ["Chloé", "Gabriel", "Léa", "Luca", "Mila", "Noé"],
    family: ["Bolomey", "Favre", "Girard", "Meyer", "Rochat", "Wenger"],
  },
  {
    locale: "sv-SE",
    currency: "SEK",
    zones: ["Europe/Stockholm"],
    share: 3,
    given: ["Alva", "Elsa", "Hugo", "Liam", "Maja", "Nils"],
    family: ["Andersson", "Berg", "Lindqvist", "Nyström", "Sjöberg", "Åkesson"],
  },
  {
    locale: "hu-HU",
    currency: "HUF",
    zones: ["Europe/Budapest"],
    share: 2,
    given: ["Anna", "Bence", "Dóra", "Levente", "Máté", "Zsófia"],
    family: ["Horváth", "Kovács", "Nagy", "Szabó", "Tóth", "Varga"],
    familyFirst: true,
  },
  {
    locale: "is-IS",
    currency: "ISK",
    zones: ["Atlantic/Reykjavik"],
    share: 1,
    given: ["Birta", "Emil", "Katla", "Magnús", "Sóley", "Þór"],
    family: ["Arnarsdóttir", "Einarsson", "Gunnarsdóttir", "Jónsson", "Ólafsdóttir", "Sigurðsson"],
  },
  {
    locale: "ko-KR",
    currency: "KRW",
    zones: ["Asia/Seoul"],
    share: 4,
    given: ["도윤", "서연", "지우", "하은", "민준", "수아"],
    family: ["김", "이", "박", "최", "정", "강"],
    familyFirst: true,
  },
  {
    locale: "es-CL",
    currency: "CLP",
    zones: ["America/Santiago", "Pacific/Easter"],
    share: 2,
    given: ["Agustín", "Emilia", "Florencia", "Joaquín", "Martina", "Vicente"],
    family: ["Araya", "Contreras", "Fuentes", "Muñoz", "Rojas", "Sepúlveda"],
  },
  {
    locale: "en-AU",
    currency: "AUD",
    zones: ["Australia/Sydney", "Australia/Adelaide", "Australia/Lord_Howe"],
    share: 4,
    given: ["Charlotte", "Isla", "Jack", "Matilda", "Oscar", "Ruby"],
    family: ["Campbell", "Kelly", "Mitchell", "O’Brien", "Ryan", "Thompson"],
  },
  {
    locale: "en-NZ",
    currency: "NZD",
    zones: ["Pacific/Auckland", "Pacific/Chatham"],
    share: 2,
    given: ["Aroha", "Finn", "Hana", "Manaia", "Tane", "Wiremu"],
    family: ["Harris", "Ngata", "Parata", "Robinson", "Tamihana", "Walker"],
  },
  {
    locale: "ne-NP",
    currency: "NPR",
    zones: ["Asia/Kathmandu"],
    share: 1,
    given: ["आयुष", "सृष्टि", "विवेक", "अनिता", "सुमन", "प्रकाश"],
    family: ["श्रेष्ठ", "गुरुङ", "थापा", "शर्मा", "तामाङ", "राई"],
  },
];
