/** The model against itself, which tests only the test: a few runs will do. */
import { models } from "./engines.ts";
import { agreesWithTheModel } from "./suite.ts";

for (const model of models) agreesWithTheModel(model, "model", 40, 0.02);
