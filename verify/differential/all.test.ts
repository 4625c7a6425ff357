/** All engines at once: as fast as the slowest of them. */
import { answerAlike } from "./stream.ts";

answerAlike(["memory", "sqlite", "postgres", "redis"], 50_000);
