/** Redis and the reference model. */
import { engines } from "./engines.ts";
import { agreesWithTheModel } from "./suite.ts";

agreesWithTheModel(engines.redis, "redis", 200, 0.25);
