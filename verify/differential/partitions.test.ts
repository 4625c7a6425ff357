/** Redis over partitions beside memory, in what they are to answer alike. */
import { answerAlike } from "./stream.ts";

answerAlike(["memory", "partitions"], 4_000);
