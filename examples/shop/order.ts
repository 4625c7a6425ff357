/** An order, as the customer sends it. Amounts are in cents. */
export interface Order {
  readonly id: string;
  readonly accountId: string;
  readonly email: string;
  readonly currency: string;
  readonly amount: number;
  readonly items: readonly Item[];
}

export interface Item {
  readonly name: string;
  readonly quantity: number;
  readonly price: number;
}
