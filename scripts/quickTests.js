/**
 * Loaded before each test file. node:test watches every promise, to tell of an error that comes late whose test it was; that is half of the CPU time of tests that
 * do little but await. Without the watch such an error still fails its file.
 */
import asyncHooks from "node:async_hooks";
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
  const createHook = asyncHooks.createHook;
  const noHook = { enable: () => noHook, disable: () => noHook };
  asyncHooks.createHook = () => noHook;
  await import("node:test");
  asyncHooks.createHook = createHook;
}
