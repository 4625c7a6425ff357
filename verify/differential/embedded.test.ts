/** The two without a server: many more operations in the same time. */
import { answerAlike } from "./stream.ts";

answerAlike(["memory", "sqlite"], 165_000);
