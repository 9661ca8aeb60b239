-- Shows everything about values as text. Tables are walked by pairs, whose order tells how they were
-- built, unless keys are tables.
local function show(value)
    local kind = type(value)
    if kind == 'string' then
        local text = string.gsub(value, '[^%w%p ]', function(byte)
            return string.format('\\x%02x', string.byte(byte))
        end)
        return '"' .. text .. '"'
    elseif kind == 'number' then
        return string.format('%.17g', value)
    elseif kind == 'table' then
        local parts, by_address = {}, false
        for key, item in pairs(value) do
            parts[#parts + 1] = '[' .. show(key) .. ']=' .. show(item)
            by_address = by_address or type(key) == 'table'
        end
        if by_address then table.sort(parts) end
        return '{' .. table.concat(parts, ',') .. '}'
    elseif kind == 'function' or kind == 'thread' then
        return kind
    end
    return tostring(value)
end
local function show_all(...)
    local parts = {}
    for index = 1, select('#', ...) do
        parts[index] = show((select(index, ...)))
    end
    return table.concat(parts, ' ')
end
-- What a call returns or raises. (Many results of pcall itself upset the checks that Lua has in debug builds.)
local function shown(run, ...)
    local ok, text = pcall(function(...) return show_all(run(...)) end, ...)
    return (ok and 'returns ' or 'raises ' .. type(text) .. ' ') .. show(text)
end
