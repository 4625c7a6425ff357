/** Planted bugs of locks and leadership, and the laws that must go red for them. */
import type { Bug } from "./bugs.ts";

export const lockBugs: readonly Bug[] = [
  {
    name: "readers do not share a lock",
    distortion: (inner) => ({ lock: (request, at) => inner.lock({ ...request, mode: "write" }, at) }),
    caughtBy: ["readers of several processes share a lock; a writer waits for all, and no later reader passes it"],
  },
  {
    name: "writers share a lock",
    distortion: (inner) => ({ lock: (request, at) => inner.lock({ ...request, permits: 2 }, at) }),
    caughtBy: [
      "a lock keeps other processes out until it is given back, and the next has it at once",
      "locks of one process are apart: it waits for itself",
      "of three that stand for leader one leads, and for as long as it lives",
    ],
  },
  {
    name: "all permits are one",
    distortion: (inner) => ({ lock: (request, at) => inner.lock({ ...request, permits: 1 }, at) }),
    caughtBy: ["a lock of three permits is held by three at once, and by a fourth when one gives it back"],
  },
  {
    name: "tickets are not given back",
    distortion: () => ({ unlock: () => true }),
    caughtBy: [
      "one that gave up waiting keeps nobody out",
      "a lock is given back, and its signal fires, when its time is over",
      "a leader that returns has given its leadership back",
      "one that stands for leader and is asked to stop keeps nobody out",
    ],
  },
  {
    name: "a lock that is given back twice is given back twice",
    distortion: (inner) => ({ unlock: async (grant, at) => (await inner.unlock(grant, at)) || true }),
    caughtBy: ["a writer's lock is granted to one, and to the next when it is given back"],
  },
  {
    name: "nobody is woken",
    distortion: () => ({ listen: () => () => undefined }),
    caughtBy: ["one that has not waited for long is woken when the lock is given back"],
  },
  {
    name: "locks are not renewed",
    distortion: (inner) => ({ beat: async (process, _, at) => inner.beat(process, 0, at) }),
    caughtBy: ["a lock is renewed for as long as it is held", "of three that stand for leader one leads, and for as long as it lives"],
  },
  {
    name: "what dead processes held is never free",
    distortion: (inner) => ({ tidy: (pass, at) => inner.tidy({ ...pass, mayExpire: false }, at) }),
    caughtBy: [
      "a killed holder's lock is another's within a lease, though no worker runs anywhere",
      "a killed leader is followed by another, with a greater fence",
    ],
  },
  {
    name: "a holder does not hear that it lost all",
    distortion: (inner) => ({ beat: async (process, leaseMs, at) => ({ ...(await inner.beat(process, leaseMs, at)), isLost: false }) }),
    caughtBy: [
      "a holder that stood still beyond its lease is told that it lost the lock, and its fence is the smaller one",
      "a leader that lost its leadership is told, and stands again",
    ],
  },
  {
    name: "the fence of a lock is the same for all",
    distortion: (inner) => ({
      lock: async (request, at) => {
        const answer = await inner.lock(request, at);
        return answer.is === "granted" ? { ...answer, fence: 7 } : answer;
      },
    }),
    caughtBy: [
      "a lock keeps other processes out until it is given back, and the next has it at once",
      "a killed leader is followed by another, with a greater fence",
    ],
  },
  {
    name: "each ask is a new ticket, at the end of the line",
    distortion: (inner) => ({
      lock: async (request, at) => {
        const answer = await inner.lock(request, at);
        if (answer.is === "waiting") await inner.unlock(request, at);
        return answer;
      },
    }),
    caughtBy: ["readers of several processes share a lock; a writer waits for all, and no later reader passes it"],
  },
];
