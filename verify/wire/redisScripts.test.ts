import { onForgetfulRedis } from "./servers.ts";
import { onTheWire } from "./suite.ts";

onTheWire(onForgetfulRedis, { drawn: 2 });
