/**
 * Whether this user may do all that the scripts do: a script that is refused a command after it wrote would leave the first half standing, since nothing is rolled back.
 * So each command is tried once on a key of its own, which is gone again after it. A test holds the list to the scripts.
 */

const hash = "K .. ':try:h'";
const sorted = "K .. ':try:z'";
const set = "K .. ':try:s'";

/** Each with what it is tried with. The last ones take away what the first ones made. */
export const rehearsal: readonly (readonly [command: string, args: string])[] = [
  ["HSET", `${hash}, 'a', '1'`],
  ["ZADD", `${sorted}, 1, 'a', 2, 'b'`],
  ["SADD", `${set}, 'a'`],
  ["PUBLISH", "K .. ':try', ''"],
  ["TIME", ""],
  ["TYPE", hash],
  ["EXISTS", hash],
  ["HGET", `${hash}, 'a'`],
  ["HMGET", `${hash}, 'a'`],
  ["HGETALL", hash],
  ["HKEYS", hash],
  ["HLEN", hash],
  ["HINCRBY", `${hash}, 'a', 1`],
  ["SMEMBERS", set],
  ["ZCARD", sorted],
  ["ZCOUNT", `${sorted}, 0, 1`],
  ["ZRANGE", `${sorted}, 0, 1`],
  ["ZRANGEBYLEX", `${sorted}, '-', '+'`],
  ["ZRANGEBYSCORE", `${sorted}, 0, 1`],
  ["ZREVRANGEBYSCORE", `${sorted}, 1, 0`],
  ["ZRANK", `${sorted}, 'a'`],
  ["ZSCORE", `${sorted}, 'a'`],
  ["HDEL", `${hash}, 'a'`],
  ["SREM", `${set}, 'a'`],
  ["ZPOPMIN", sorted],
  ["ZREM", `${sorted}, 'b'`],
];

/** Sees K. The first command that is refused, and how; or nothing. 20 µs. */
export const rehearseLua: string = String.raw`
local function rehearse()
  local refused
  local function try(command, ...)
    local answer = redis.pcall(command, ...)
    if refused == nil and type(answer) == 'table' and answer.err then refused = { command, answer.err } end
  end
${rehearsal.map(([command, args]) => `  try('${command}'${args === "" ? "" : `, ${args}`})`).join("\n")}
  return refused
end
`;
