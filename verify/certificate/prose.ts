/** The sentences of docs/reliability.md that no run changes. */

export const opening = `# Reliability

What has been done to find out whether errand holds what it [promises](reference/guarantees.md), with figures as measured, also where the goal is not reached. This page is written by \`npm run verify -- certificate --write\` from the runs that were recorded; nobody writes figures into it.

| layer | what it does |
|---|---|
| laws | some 750 claims about the public door and the engine port, each run on every engine under a virtual clock |
| port, walk | the port's rules, and random lives at it that are compared between engines |
| model | random commands, on each engine and on a reference model written apart; every answer and all that is stored is compared |
| differential | one long stream of operations to all engines and the model at once |
| scopes | every interleaving of a few actors with a few operations, crashes and lost answers |
| simulator | a fleet with the real worker, store and network under a virtual clock; each seed draws its own work and faults |
| locks | histories of locks under faults, checked for linearizability |
| zones | schedules around every change of every zone's clocks from 2015 to 2040, against an oracle |
| disk | SQLite's files: the process killed at each system call, calls that fail, the power cut at each write |
| wire | PostgreSQL and Redis: the connection cut, frozen or ended by the server at each message of each verb's exchange; then the same call again |
| fault run | real processes and real servers, killed, stopped, cut off and failed over, checked from what each process wrote down; [on your own store](guide/22-proof.md) as well |
| million | a million jobs on real processes without a fault: each is done once |
| mutation | small changes of core, one at a time, and how many the laws and tests notice |`;

export const limits = `## What is not covered, and not promised

- All of this ran on machines with two cores, servers on the same machine, Linux, one architecture. Nothing here ran on Windows or macOS for long, over a real network, or for weeks.
- The store's own correctness is taken as given: that PostgreSQL, Redis and SQLite keep what they say they have written, and that the disk does. What an acknowledged job survives on a store that is set to keep less is said in its \`guarantees()\`; Redis without an append-only file loses jobs when it is killed, and so does an asynchronous standby that is promoted. Runs on such stores count what is forgotten apart from what is lost.
- A job may start more than once: at least once is what is promised, and every duplicate is put down to a fault. An effect happens once only within \`job.commit\`, or where it looks at the fence.
- Planted bugs show that a layer can see; they do not show that nothing is left to be seen. They are written by hand, by people who knew the tests.
- The mutation score is that of a sample of core and the worker on the memory engine, without texts; SQL and Lua are not mutated. The sample (\`npm run verify -- mutation --sample 241 --seed 1\`) was drawn once, and tests were written for what survived of it, so that it scores better than all of core would; \`--seed 2\` draws one that nobody has looked at. What is said to change nothing stands in \`verify/mutation/equivalent.ts\`, with the reason.
- Faults of the network are those of a proxy: cut, frozen, slow, half open. Bytes are not corrupted, packets not reordered.
- Clocks are skewed under the virtual clock and not on real machines.`;
