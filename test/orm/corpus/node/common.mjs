// What the Node clients of the corpus share. A client is scenarios by name, a way to connect and a way to disconnect;
// all of it is in a file of its own, written as that client's users write it.

export const ids = (count, first = 1) => Array.from({ length: count }, (_, n) => first + n);
export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
export const chunks = (list, size) =>
  ids(Math.ceil(list.length / size), 0).map((n) => list.slice(n * size, (n + 1) * size));

// The events that are inserted, and the months of 2026.
export const event = (n) => ({ kind: `new-${n}`, createdAt: new Date(Date.UTC(2026, 10, n, 12)) });
const month = (n) => new Date(Date.UTC(2026, n));
export const months = ids(12, 0).map((n) => ({ from: month(n), to: month(n + 1) }));

// A scenario that read or wrote something else than it should says so with this.
export function check(actual, expected) {
  if (actual !== expected) {
    throw new Error(`expected ${expected}, got ${actual}`);
  }
}

export const settings = (applicationName) => ({
  host: process.env.PGHOST,
  port: Number(process.env.PGPORT),
  user: process.env.PGUSER,
  database: process.env.PGDATABASE,
  applicationName,
});

// `node CLIENT.mjs --list` prints the scenarios, `node CLIENT.mjs NAME` does one, once. One connection is what a
// request has at a time that waits for each of its statements; only the pool's scenarios have more.
export async function main(scenarios, connect, disconnect) {
  const name = process.argv[2];
  if (name === '--list') {
    console.log(Object.keys(scenarios).join('\n'));
    return;
  }
  if (!Object.hasOwn(scenarios, name)) {
    throw new Error(`no such scenario: ${name}`);
  }
  const database = await connect(name.startsWith('pool_') ? 5 : 1);
  try {
    await scenarios[name](database);
  } catch (error) {
    console.error(error); // and does not wait for what the scenario has left open
    process.exit(1);
  }
  await disconnect(database);
}
