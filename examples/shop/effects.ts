/** The ten effects of an order, and how long the third party takes for each. */
export const effects = {
  fraud: { fromMs: 5, toMs: 5 },
  payment: { fromMs: 30, toMs: 60 },
  ledger: { fromMs: 5, toMs: 5 },
  shipping: { fromMs: 5, toMs: 5 },
  mail: { fromMs: 20, toMs: 20 },
  invoices: { fromMs: 5, toMs: 5 },
  loyalty: { fromMs: 5, toMs: 5 },
  searchIndex: { fromMs: 5, toMs: 5 },
  analytics: { fromMs: 5, toMs: 5 },
  crm: { fromMs: 5, toMs: 5 },
} as const;

export type Effect = keyof typeof effects;
export const effectNames: readonly Effect[] = Object.keys(effects) as Effect[];

/** Each call fails this often, at random. */
export const failureRate = 0.005;
