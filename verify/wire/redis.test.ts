import { onRedis } from "./servers.ts";
import { onTheWire } from "./suite.ts";

onTheWire(onRedis, { drawn: 6 });
