/** Tells the parent process that this one can be used, and ends this one with its parent, however that dies. */
export function ready(url: string = ""): void {
  if (process.connected === false) process.exit();
  process.on("disconnect", () => process.exit());
  process.send?.({ isReady: true, url });
}
