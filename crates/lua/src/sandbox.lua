-- What scripts see, and how they are called. Made once for each interpreter, of:
--   lua        the interpreter's own globals
--   tools      functions in Rust: where, has_left, compile, failing, random, seed, sha1, redis_call, redis_pcall, host;
--              Lua's own pcall and xpcall, and shown, which gives the value of what they catch
--   libraries  tables by name: bit, cjson, cmsgpack, struct
--   constants  what is in `redis` that is no function
-- Returns what the engine calls.
local lua, tools, libraries, constants = ...

local error, type, tostring, select, next, unpack = lua.error, lua.type, lua.tostring, lua.select, lua.next, lua.unpack
local tonumber, getmetatable, setmetatable = lua.tonumber, lua.getmetatable, lua.setmetatable
local rawget, rawset = lua.rawget, lua.rawset
local pcall, xpcall, shown, pairs, setfenv = tools.pcall, tools.xpcall, tools.shown, lua.pairs, lua.setfenv

local READONLY = "Attempt to modify a readonly table"
local LOG, MAY_RUN, REPLICATE, RESP, INTERRUPT, REGISTER = 1, 2, 3, 4, 5, 6

-- Lua 5.1 has no tables that cannot be changed: scripts get empty ones before which stand for them.
local behind = setmetatable({}, { __mode = "k" })

-- The line of the script's only `return`, if there is only one line with any.
local return_line

-- `error`, with the level of who has called a function of these. The level of a caller that has left in a tail call has
-- no line any more: it has left at a `return`.
local function fail(text, level)
  if return_line and tools.has_left(level) then
    error("user_script:" .. return_line .. ": " .. text, 0)
  end
  error(text, level + 1)
end

local function refuse()
  error(READONLY, 2)
end

local function readonly(content)
  local shown = setmetatable({}, { __index = content, __newindex = refuse })
  behind[shown] = content
  return shown
end

-- What runs a script's calls while it runs.
local to_host = tools.host

local redis = { call = tools.redis_call, pcall = tools.redis_pcall }
for name, value in next, constants do
  redis[name] = value
end

-- Functions that fail do so as those in C do: the script's own function stays the one that failed, also in
-- `return redis.log()`. `run` returns the text of the error, or nothing and the result.
local function failing(run)
  return tools.failing(run)
end

redis.log = failing(function(...)
  if select("#", ...) < 2 then
    return "ERR redis.log() requires two arguments or more."
  end
  local failed, text = to_host(LOG, ...)
  return failed and text or nil
end)

redis.sha1hex = failing(function(...)
  if select("#", ...) ~= 1 then
    return "ERR wrong number of arguments"
  end
  local text = ...
  local kind = type(text)
  return nil, tools.sha1((kind == "string" or kind == "number") and tostring(text) or "")
end)

redis.setresp = failing(function(...)
  if select("#", ...) ~= 1 then
    return "ERR redis.setresp() requires one argument."
  end
  return to_host(RESP, ...) and "ERR RESP version must be 2 or 3." or nil
end)

redis.set_repl = failing(function(...)
  if select("#", ...) ~= 1 then
    return "ERR redis.set_repl() requires two arguments."
  end
  return to_host(REPLICATE, ...)
      and "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE." or nil
end)

redis.acl_check_cmd = failing(function(...)
  if select("#", ...) == 0 then
    return "ERR Please specify at least one argument for this redis lib call"
  end
  local failed, answer = to_host(MAY_RUN, ...)
  if failed then
    return answer
  end
  return nil, answer
end)

local function reply_of(field, ...)
  local text = ...
  if select("#", ...) ~= 1 or type(text) ~= "string" then
    return { err = "ERR wrong number or type of arguments" }
  end
  return { [field] = text }
end

function redis.status_reply(...)
  return reply_of("ok", ...)
end

function redis.error_reply(...)
  local reply = reply_of("err", ...)
  local text = reply.err
  if text:sub(1, 1) == "-" then
    text = text:sub(2)
  end
  -- One word alone is no code.
  if not text:find(" ", 1, true) then
    text = "ERR " .. text
  end
  reply.err = text
  return reply
end

function redis.replicate_commands()
  return true
end

function redis.breakpoint()
  return false
end

function redis.debug() end

local globals, globals_metatable, string_metatable = {}
local shown_globals = readonly(globals)

local gsub = lua.string.gsub

-- An error that names its function and the caller's line, as if there were no guard.
local function of_guarded(name, ok, ...)
  if ok then
    return ...
  end
  local failure = ...
  if type(failure) ~= "string" or failure == "not enough memory" then
    error(failure, 0)
  end
  fail(gsub(failure, "^(bad argument #%d+ to )'%?'", "%1'" .. name .. "'"), 3)
end

function globals.getmetatable(...)
  local object = ...
  if object ~= nil and behind[object] then
    return behind[object] == globals and globals_metatable or nil
  end
  if type(object) == "string" then
    return string_metatable
  end
  return of_guarded("getmetatable", pcall(getmetatable, ...))
end

-- What Lua's own functions take for a place: an integer of 32 bits. They cut off what is more.
local PLACE_MAX = 2 ^ 31 - 1

-- Functions that change a table without asking its metatable. `usual`: how many arguments they take with a table, or
-- one more with a place; they cannot fail then, and must cost little. `unusual` does what is
-- not for `change`, and then returns true.
local function changing(name, change, usual, unusual)
  return function(...)
    local object, place = ...
    if object ~= nil and behind[object] then
      error(READONLY, 0)
    elseif usual and type(object) == "table" then
      local count = select("#", ...)
      if count == usual or count == usual + 1 and type(place) == "number" and place >= 1 and place <= PLACE_MAX then
        return change(...)
      end
    end
    if unusual and unusual(...) then
      return
    end
    return of_guarded(name, pcall(change, ...))
  end
end

globals.setmetatable = changing("setmetatable", setmetatable)
globals.rawset = changing("rawset", rawset)

-- Functions that look at a table without asking its metatable.
local function looking(name, look)
  return function(...)
    local object = ...
    if type(object) ~= "table" then
      return of_guarded(name, pcall(look, ...))
    elseif behind[object] then
      return look(behind[object], select(2, ...))
    end
    return look(...)
  end
end

globals.rawget = looking("rawget", rawget)
globals.next = looking("next", next)
globals.pairs = looking("pairs", pairs)

function globals.loadstring(text, name)
  if type(text) == "number" then
    text = tostring(text)
  elseif type(text) ~= "string" then
    fail("bad argument #1 to 'loadstring' (string expected, got " .. (text == nil and "no value" or type(text)) .. ")", 2)
  end
  local compiled, failure = tools.compile(text, type(name) == "string" and name or text)
  if not compiled then
    return nil, failure
  end
  return setfenv(compiled, shown_globals)
end

function globals.load(source, name)
  if type(source) ~= "function" then
    fail("bad argument #1 to 'load' (function expected, got " .. (source == nil and "no value" or type(source)) .. ")", 2)
  end
  local pieces, count = {}, 0
  while true do
    local piece = source()
    if piece == nil or piece == "" then
      break
    end
    if type(piece) ~= "string" then
      local source, line = tools.where()
      return nil, (source and source:sub(2) .. ":" .. line .. ": " or "") .. "reader function must return a string"
    end
    count = count + 1
    pieces[count] = piece
  end
  return globals.loadstring(lua.table.concat(pieces), type(name) == "string" and name or "=(load)")
end

for name in ("assert collectgarbage error gcinfo ipairs pcall rawequal select tonumber tostring type xpcall _VERSION"):gmatch("%S+") do
  globals[name] = lua[name]
end

-- Values that may be on the stack of a function in C: its arguments and its results.
local STACK = 8000

-- Lua's own counts in 32 bits, too, and writes beyond its stack where there are more than these can tell.
function globals.unpack(...)
  local list, first, last = ...
  first = tonumber(first == nil and 1 or first)
  last = type(list) == "table" and tonumber(last == nil and #list or last)
  if not first or not last then
    return of_guarded("unpack", pcall(unpack, ...))
  end
  local fit = first >= -PLACE_MAX and first <= PLACE_MAX and last >= -PLACE_MAX and last <= PLACE_MAX
  if not fit or last - first >= STACK - select("#", ...) then
    fail("too many results to unpack", 2)
  end
  return unpack(...)
end

local tables = {}
for name, value in next, lua.table do
  tables[name] = value
end

-- Lua's own moves something from every place above, and nothing can stop it on its way to one far below the first.
local function insert_outside(...)
  local object, place, value = ...
  place = select("#", ...) == 3 and type(object) == "table" and tonumber(place)
  if not place or place >= 1 and place <= PLACE_MAX then
    return false
  end
  place = place < 0 and lua.math.ceil(place) or lua.math.floor(place)
  for at = #object + 1, place + 1, -1 do
    rawset(object, at, rawget(object, at - 1))
  end
  rawset(object, place, value)
  return true
end

tables.insert = changing("insert", lua.table.insert, 2, insert_outside)
tables.remove = changing("remove", lua.table.remove, 1)

-- What compares for it fails by itself.
local sort = lua.table.sort
function tables.sort(...)
  local object, compare = ...
  if object ~= nil and behind[object] then
    error(READONLY, 0)
  elseif type(object) ~= "table" or compare ~= nil and type(compare) ~= "function" then
    return of_guarded("sort", pcall(sort, ...))
  end
  return sort(...)
end

tables.foreach = looking("foreach", lua.table.foreach)

-- Functions that match patterns are guarded: a pattern of many items that repeat takes more stack than there is.
local strings = {}
for name, value in next, lua.string do
  strings[name] = value
end

local function is_too_complex(pattern)
  if type(pattern) ~= "string" or #pattern <= tools.repeats_max then
    return false
  end
  local _, repeats = gsub(pattern, "[*+?-]", "%0")
  return repeats > tools.repeats_max
end

local function guarded(name)
  local run = strings[name]
  strings[name] = function(...)
    local _, pattern, third = ...
    local is_plain = name == "find" and select(4, ...)
    if not is_plain and is_too_complex(pattern) then
      fail("pattern too complex", 2)
    end
    -- What a function of the script's fails with is its own.
    if type(third) == "function" or type(third) == "table" and getmetatable(third) then
      return run(...)
    end
    return of_guarded(name, pcall(run, ...))
  end
end

for _, name in next, { "find", "match", "gmatch", "gsub" } do
  guarded(name)
  -- Methods of strings are found there.
  lua.string[name] = strings[name]
end
strings.gfind, lua.string.gfind = strings.gmatch, strings.gmatch

local maths = {}
for name, value in next, lua.math do
  maths[name] = value
end

maths.random = tools.random

function maths.randomseed(seed)
  tools.seed(seed)
end

globals.string = readonly(strings)
globals.table = readonly(tables)
globals.math = readonly(maths)
globals.coroutine = readonly(lua.coroutine)
globals.redis = readonly(redis)
for name, library in next, libraries do
  globals[name] = readonly(library)
end
globals._G = shown_globals

local function missing(_, name)
  error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
end
setmetatable(globals, { __index = missing })
globals_metatable = readonly({ __index = missing })
string_metatable = readonly({ __index = globals.string })

-- What a failure is told as: with the place in the script.
local function explained(failure)
  failure = shown(failure)
  local source, line = tools.where()
  if not source and return_line then
    source, line = "@user_script", return_line
  end
  if type(failure) ~= "table" then
    -- Lua's own functions, such as sort, name the line of the sandbox that has called them.
    local text = tostring(failure)
    failure = { err = "ERR " .. gsub(text, "^sandbox:%d+: ", source and source:sub(2) .. ":" .. line .. ": " or "") }
  end
  if behind[failure] then
    failure = {}
  end
  if source then
    rawset(failure, "source", source)
    rawset(failure, "line", line)
  end
  return failure
end

-- What the last script has left lives as long as something refers to it.
local function forget()
  globals.KEYS, globals.ARGV = nil, nil
end

-- While a library is loaded, it can only register functions.
local loading = {}
for name, value in next, constants do
  loading[name] = value
end
loading.log = redis.log
loading.register_function = failing(function(...)
  local count = select("#", ...)
  local name, call, description, flags = ...
  if count < 1 or count > 2 then
    return "ERR wrong number of arguments to redis.register_function"
  elseif count == 1 and type(name) ~= "table" then
    return "ERR calling redis.register_function with a single argument is only applicable to Lua table (representing "
        .. "named arguments)."
  elseif count == 1 then
    local named = name
    name, call = nil, nil
    for key, value in next, named do
      if key == "function_name" then
        name = value
      elseif key == "callback" then
        call = value
        if type(call) ~= "function" then
          return "ERR callback argument given to redis.register_function must be a function"
        end
      elseif key == "description" then
        -- Lua takes numbers for strings.
        description = type(value) == "number" and tostring(value) or value
        if type(description) ~= "string" then
          return "ERR description argument given to redis.register_function must be a string"
        end
      elseif key == "flags" then
        flags = value
        if type(flags) ~= "table" then
          return "ERR flags argument to redis.register_function must be a table representing function flags"
        end
      else
        return "ERR unknown argument given to redis.register_function"
      end
    end
    if name == nil then
      return "ERR redis.register_function must get a function name argument"
    elseif call == nil then
      return "ERR redis.register_function must get a callback argument"
    end
  end
  if type(name) ~= "string" and type(name) ~= "number" then
    return count == 2 and "ERR first argument to redis.register_function must be a string"
        or "ERR function_name argument given to redis.register_function must be a string"
  elseif type(call) ~= "function" then
    return "ERR second argument to redis.register_function must be a function"
  end
  local failed, text = to_host(REGISTER, tostring(name), call, description or false, unpack(flags or {}))
  return failed and text or nil
end)
setmetatable(loading, { __index = missing })

-- Functions find what scripts do, without what is left of earlier versions and of debugging.
local of_functions = {}
for name, value in next, redis do
  of_functions[name] = value
end
of_functions.replicate_commands, of_functions.breakpoint, of_functions.debug = nil, nil, nil
local globals_of_functions = setmetatable({ redis = readonly(of_functions) }, { __index = globals })

local of_libraries = { __newindex = refuse }
local library_globals = setmetatable({}, of_libraries)
local loading_globals = setmetatable({ redis = readonly(loading) }, { __index = missing })

return {
  globals = shown_globals,
  -- Runs a script, or a function with its keys and arguments: tables, or nil for none. `line` is where a script has all
  -- that it returns, if that is one line.
  run_script = function(script, keys, args, line)
    return_line = line
    globals.KEYS, globals.ARGV = keys or {}, args or {}
    return xpcall(script, explained)
  end,
  run_function = function(run, keys, args)
    return_line = nil
    return xpcall(function()
      return run(keys or {}, args or {})
    end, explained)
  end,
  library_globals = library_globals,
  load_library = function(library)
    of_libraries.__index = loading_globals
    return xpcall(library, explained)
  end,
  stand_ins = behind,
  forget = forget,
  loaded = function()
    of_libraries.__index = globals_of_functions
  end,
  interrupt = function()
    to_host(INTERRUPT)
  end,
}
