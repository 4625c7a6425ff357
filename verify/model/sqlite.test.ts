/** SQLite and the reference model. */
import { engines } from "./engines.ts";
import { agreesWithTheModel } from "./suite.ts";

agreesWithTheModel(engines.sqlite, "sqlite", 700);
