/** The app's own tables. Amounts are whole numbers of the currency's smallest unit, instants ms since 1970. */
export const schema = `
  CREATE TABLE customers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    locale TEXT NOT NULL,
    zone TEXT NOT NULL,
    currency TEXT NOT NULL,
    plan INTEGER NOT NULL,
    card TEXT,                               -- NULL: none on file
    state TEXT NOT NULL DEFAULT 'open'       -- open, held, closed
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE usage (
    customer_id TEXT NOT NULL REFERENCES customers,
    at INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    PRIMARY KEY (customer_id, at)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE items (
    customer_id TEXT NOT NULL REFERENCES customers,
    month TEXT NOT NULL,
    label TEXT NOT NULL,                     -- plan, usage
    currency TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (customer_id, month, label)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE invoices (
    id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customers,
    month TEXT NOT NULL,
    revision INTEGER NOT NULL,
    currency TEXT NOT NULL,
    total INTEGER NOT NULL,
    credited INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'open',      -- open, charging, paid, declined, void
    version INTEGER NOT NULL DEFAULT 1,      -- grows when what is due changes
    as_of INTEGER NOT NULL,
    UNIQUE (customer_id, month, revision)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE payments (
    key TEXT PRIMARY KEY,                    -- the idempotency key it goes to the provider with
    invoice_id TEXT NOT NULL REFERENCES invoices,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    card TEXT NOT NULL,
    state TEXT NOT NULL                      -- sent, captured, declined
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX payments_by_invoice ON payments (invoice_id);

  CREATE TABLE mails (
    customer_id TEXT NOT NULL REFERENCES customers,
    month TEXT NOT NULL,
    PRIMARY KEY (customer_id, month)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE changes (                     -- what happened to customers meanwhile
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    customer_id TEXT NOT NULL REFERENCES customers,
    what TEXT NOT NULL,
    amount INTEGER,
    currency TEXT
  ) STRICT;

  CREATE TABLE reports (
    month TEXT PRIMARY KEY,
    as_of INTEGER NOT NULL,
    content TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
`;
