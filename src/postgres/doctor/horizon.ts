/** What pins the horizon, as findings. */
import { pinnedAfterMs } from "../../core/defaults.ts";
import type { Finding } from "../../core/examination.ts";
import type { Ms } from "../../core/runtime.ts";
import type { Session } from "../client.ts";
import { pinsOf } from "../horizon.ts";

export async function horizonFindings(session: Session, afterMs: Ms = pinnedAfterMs): Promise<readonly Finding[]> {
  return (await pinsOf(session, afterMs)).map(({ what, repair }) => ({
    about: "horizon",
    what: `${what}: vacuum can take away no row that died since`,
    ...(repair !== undefined && { repair }),
  }));
}
