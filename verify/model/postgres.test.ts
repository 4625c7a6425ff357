/** PostgreSQL and the reference model. */
import { engines } from "./engines.ts";
import { agreesWithTheModel } from "./suite.ts";

agreesWithTheModel(engines.postgres, "postgres", 200, 0.25);
