/** The price list, in each currency's smallest unit. `digits`: decimals of the currency (ISO 4217); a dinar has a thousand fils, a yen nothing smaller. */
export const currencies = {
  AUD: { digits: 2, plans: [2_900, 7_500, 14_900], perThousandCalls: 38 },
  BRL: { digits: 2, plans: [9_900, 24_900, 49_900], perThousandCalls: 130 },
  CAD: { digits: 2, plans: [2_500, 6_500, 12_900], perThousandCalls: 34 },
  CHF: { digits: 2, plans: [1_800, 4_500, 8_900], perThousandCalls: 22 },
  CLP: { digits: 0, plans: [17_900, 45_900, 92_900], perThousandCalls: 235 },
  EUR: { digits: 2, plans: [1_900, 4_700, 9_400], perThousandCalls: 23 },
  GBP: { digits: 2, plans: [1_600, 3_900, 7_900], perThousandCalls: 20 },
  HUF: { digits: 2, plans: [699_000, 1_799_000, 3_599_000], perThousandCalls: 9_100 },
  INR: { digits: 2, plans: [149_900, 399_900, 799_900], perThousandCalls: 2_100 },
  ISK: { digits: 0, plans: [2_700, 6_700, 13_500], perThousandCalls: 34 },
  JPY: { digits: 0, plans: [2_900, 7_400, 14_900], perThousandCalls: 38 },
  KRW: { digits: 0, plans: [26_000, 67_000, 135_000], perThousandCalls: 345 },
  KWD: { digits: 3, plans: [5_900, 15_000, 30_500], perThousandCalls: 77 },
  NPR: { digits: 2, plans: [250_000, 650_000, 1_300_000], perThousandCalls: 3_300 },
  NZD: { digits: 2, plans: [3_200, 8_200, 16_400], perThousandCalls: 42 },
  SEK: { digits: 2, plans: [19_900, 51_900, 104_900], perThousandCalls: 265 },
  TND: { digits: 3, plans: [59_000, 152_000, 307_000], perThousandCalls: 780 },
  USD: { digits: 2, plans: [1_900, 4_900, 9_900], perThousandCalls: 25 },
} as const satisfies Readonly<Record<string, { readonly digits: number; readonly plans: readonly number[]; readonly perThousandCalls: number }>>;

export type Currency = keyof typeof currencies;
export const plans = ["Starter", "Team", "Business"] as const;
