/** Who uses limits and resources now. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const gateRowFragment: Fragment = fragment(
  "gateRow",
  String.raw`
local function limit_row(name)
  local limit = U.gates.limit(name)
  if limit and limit.starts then
    local used, freeAt = U.gates.starts(name, limit)
    return { name = name, kind = "limit", most = limit.starts, used = used, freeAt = freeAt }
  end
  local used = U.gates.running(name)
  if limit == nil and used == 0 then return nil end
  return { name = name, kind = "limit", used = used, most = limit and limit.running }
end

local function resource_row(name)
  local resource, used = U.gates.resource(name), U.gates.in_use(name)
  if resource == nil and used <= 0 then return nil end
  return { name = name, kind = "resource", used = used, most = resource and resource.capacity }
end

-- By name; a limit before a resource.
function M.gate_rows(names)
  local sorted, rows = {}, {}
  for _, name in ipairs(names) do sorted[#sorted + 1] = name end
  table.sort(sorted, U.notes.is_before)
  for at, name in ipairs(sorted) do
    if name ~= sorted[at - 1] then
      rows[#rows + 1] = limit_row(name)
      rows[#rows + 1] = resource_row(name)
    end
  end
  return rows
end
`,
);
