/** Checks of the type system that speak English. Their exact form matters: test/types holds it. */

export type Json = string | number | boolean | null | undefined | readonly Json[] | { readonly [key: string]: Json };
export type OneOrMany<T> = T | readonly T[];

/** `with(order)` of a wider record is refused: stored payloads are pointers. The first branch keeps generic wrappers working. */
export type Exactly<In, I> = [In] extends [I] ? I : [Surplus<In, I>] extends [never] ? I : `pass a pointer: "${Surplus<In, I> & string}" is not in the payload`;
type Surplus<In, I> = unknown extends In
  ? never
  : I extends readonly unknown[] | string | number | boolean | null | undefined
    ? never
    : Exclude<keyof I, In extends unknown ? keyof In : never>;

/** The complaint stands on the name: anywhere else it breaks the inference of `run`, or prints ten lines. */
export type NameFor<In> = [In] extends [Jsonable<In>] ? string : `payload must be JSON, but "${NotJson<In>}" is not: pass a string or a number`;

/** The same for what a task saves. `unknown` complains of nothing. */
export type SavedFor<Saved> = [Saved] extends [Jsonable<Saved>] ? unknown : "a checkpoint must be JSON: save a string, a number or a plain object";

/** `[T] extends [Json]` first, or a recursive Json type instantiates without end (TS2589). */
type Jsonable<T> = [T] extends [Json]
  ? T
  : unknown extends T
    ? T
    : T extends string | number | boolean | null | undefined
      ? T
      : T extends object
        ? T extends (...args: never) => unknown
          ? never
          : { [K in keyof T]: Jsonable<T[K]> }
        : never;
type NotJson<T> = T extends unknown ? { [K in keyof T & string]: T[K] extends Jsonable<T[K]> ? never : K }[keyof T & string] : never;

/** Required scalar fields. The first branch lets inference pass before In is known; an indexed access here would infer In from the key. */
type KeyOf<T> = [keyof T] extends [never] ? string : keyof { [K in keyof T as T[K] extends string | number | boolean ? K : never]: 1 } & string;
/** One field of the payload, or several: data, so that a publisher without this code keeps the order. */
export type Key<In> = OneOrMany<KeyOf<In>>;
