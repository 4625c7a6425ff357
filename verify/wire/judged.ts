/** Whether a caller was told the truth of a call that the network broke, and whether the same call again is done once. */

/** What happens without a fault: before, after the call, and after the same call again. */
export interface Clean {
  readonly before: string;
  readonly answer: string;
  readonly after: string;
  readonly answerAgain: string;
  readonly afterAgain: string;
}

export type Told = { readonly is: "answered"; readonly answer: string } | { readonly is: "definite" | "indefinite" | "strange"; readonly said: string };

export interface Seen {
  /** The request had not come to the server to its end when the fault began. */
  readonly isUnheard: boolean;
  readonly told: Told;
  /** What the store held when it was told. */
  readonly held: string;
  readonly again: Told;
  readonly heldAgain: string;
  /** Once what was late had come as well, where something was. */
  readonly heldLate?: string;
}

export type Wrong = "falseAcknowledgements" | "falselyDefinite" | "halfStored" | "notGoingOn" | "twice" | "wrongAnswers";

export interface Complaint {
  readonly is: Wrong;
  readonly said: string;
}

export function judge(clean: Clean, seen: Seen): Complaint | undefined {
  const { isUnheard, told, held, again, heldAgain, heldLate } = seen;
  const isAsBefore = held === clean.before;
  const isAsAfter = held === clean.after;
  if (told.is === "strange") return { is: "wrongAnswers", said: `it threw what says nothing: ${told.said}` };
  if (told.is === "answered") {
    if (isUnheard) return { is: "falseAcknowledgements", said: "it was acknowledged before it had arrived" };
    if (!isAsAfter) return { is: "falseAcknowledgements", said: `it was acknowledged, and the store holds ${isAsBefore ? "nothing of it" : held}` };
    if (told.answer !== clean.answer) return { is: "wrongAnswers", said: `it answered ${told.answer}, not ${clean.answer}` };
  }
  if (told.is === "definite" && !isAsBefore) return { is: "falselyDefinite", said: `it was told definite (${told.said}), and the store holds ${held}` };
  if (told.is === "definite" && heldLate !== undefined) return { is: "falselyDefinite", said: `it was told definite (${told.said}) while it was on its way` };
  if (!isAsBefore && !isAsAfter) return { is: "halfStored", said: `the store holds ${held}` };
  if (again.is !== "answered") return { is: "notGoingOn", said: `the same call again: ${again.said}` };
  const isFirst = again.answer === clean.answer && heldAgain === clean.after;
  const isSecond = again.answer === clean.answerAgain && heldAgain === clean.afterAgain;
  const mayBeFirst = isAsBefore && told.is !== "answered";
  // What was told indefinite may still be done while one looks.
  const maySecond = !isAsBefore || told.is !== "definite";
  if (!(mayBeFirst && isFirst) && !(maySecond && isSecond)) {
    const isStored = heldAgain === clean.after || heldAgain === clean.afterAgain;
    return { is: isStored ? "wrongAnswers" : "twice", said: `the same call again answered ${again.answer}, and the store holds ${heldAgain}` };
  }
  if (heldLate !== undefined && heldLate !== clean.afterAgain) return { is: "twice", said: `when the first call came late, the store held ${heldLate}` };
  return undefined;
}
