/** What goes wrong at the provider, and how long it takes: the same calls on every run with the same seed. */
export const chance = {
  /** Of customers: their bank says no, today and tomorrow. */
  declined: 0.03,
  /** Of calls: refused with 503, nothing was charged. */
  busy: 0.01,
  /** Of calls: charged, and then the connection broke before the answer. */
  answerLost: 0.01,
} as const;

export const latency = { charge: { fromMs: 30, toMs: 80 }, mail: { fromMs: 10, toMs: 20 } } as const;
