import { onPostgres } from "./servers.ts";
import { onTheWire } from "./suite.ts";

onTheWire(onPostgres, { drawn: 3 });
