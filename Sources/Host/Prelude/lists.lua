-- ipairs for lists that scripts hand over: an __index that answers for every place would never come to an end, so of a
-- table with a metatable only what it really holds is visited.
local function next_held(list, i)
  if i < rawlen(list) then return i + 1, rawget(list, i + 1) end
end

return function(list)
  if type(list) ~= "table" or getmetatable(list) == nil then return ipairs(list) end
  return next_held, list, 0
end
