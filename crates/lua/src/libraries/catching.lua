-- Replaces what catches errors by functions whose callers see the values of errors that Rust has raised. They are Lua
-- functions, so that they add nothing to the C calls that may nest. Takes the globals and what gives the value of such
-- an error. Returns a function of an error as Lua's own functions catch it, which gives the value.
local globals, plain = ...
local pcall, xpcall, select, type, error = globals.pcall, globals.xpcall, globals.select, globals.type, globals.error
local coroutine = globals.coroutine
local create, resume = coroutine.create, coroutine.resume

local function shown(failure)
    if type(failure) ~= 'userdata' then return failure end
    -- It fails only for want of memory, which is then the error.
    local _, value = pcall(plain, failure)
    return value
end

-- As in Redis: of an error table, the text of its `err`. If that is none, it is a third result.
local function of_pcall(ok, ...)
    if ok then return ok, ... end
    local failure = shown((...))
    if type(failure) ~= 'table' then return ok, failure end
    local text = failure.err
    if type(text) == 'string' or type(text) == 'number' then return ok, text end
    return ok, failure, text
end

function globals.pcall(...)
    -- As in Redis, which finds its own place holder where the function should be.
    if select('#', ...) == 0 then return false, 'attempt to call a boolean value' end
    return of_pcall(pcall(...))
end

function globals.xpcall(...)
    if select('#', ...) < 2 then error("bad argument #2 to 'xpcall' (value expected)", 2) end
    local run, handler = ...
    return xpcall(run, function(failure) return handler(shown(failure)) end)
end

local function of_resume(ok, ...)
    if ok then return ok, ... end
    return ok, shown((...))
end

function coroutine.resume(thread, ...)
    if type(thread) ~= 'thread' then error("bad argument #1 to 'resume' (coroutine expected)", 2) end
    return of_resume(resume(thread, ...))
end

-- Level 2 is the function that wrap has made, and 3 its caller.
local function of_wrapped(ok, ...)
    if ok then return ... end
    error(shown((...)), 3)
end

function coroutine.wrap(run)
    local ok, thread = pcall(create, run)
    if not ok and thread == 'C stack overflow' then error(thread, 2) end
    if not ok then error("bad argument #1 to 'wrap' (Lua function expected)", 2) end
    return function(...) return of_wrapped(resume(thread, ...)) end
end

return shown
