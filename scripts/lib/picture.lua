-- Small grey pictures inside a page: PNG as a data: address.
local picture = {}

local crc_table = {}
for n = 0, 255 do
  local c = n
  for _ = 1, 8 do c = c & 1 == 1 and 0xEDB88320 ~ (c >> 1) or c >> 1 end
  crc_table[n] = c
end

local function crc32(text)
  local c = 0xFFFFFFFF
  for i = 1, #text do c = crc_table[(c ~ text:byte(i)) & 0xFF] ~ (c >> 8) end
  return c ~ 0xFFFFFFFF
end

local function adler32(text)
  local a, b = 1, 0
  for i = 1, #text do
    a = (a + text:byte(i)) % 65521
    b = (b + a) % 65521
  end
  return b << 16 | a
end

local function chunk(name, body) return string.pack(">I4", #body) .. name .. body .. string.pack(">I4", crc32(name .. body)) end

local letters = {}
for letter in ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"):gmatch "." do
  letters[#letters + 1] = letter
end

function picture.base64(bytes)
  local out = {}
  for i = 1, #bytes, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local n = a << 16 | (b or 0) << 8 | (c or 0)
    out[#out + 1] = letters[(n >> 18) + 1] .. letters[(n >> 12 & 63) + 1]
      .. (b and letters[(n >> 6 & 63) + 1] or "=") .. (c and letters[(n & 63) + 1] or "=")
  end
  return table.concat(out)
end

-- A PNG file of a uint8 tensor [H, W]. The pixels are stored, not packed: pictures of digits are small.
function picture.png(image)
  local rows = {}
  for i, row in ipairs(image:tolist()) do rows[i] = "\0" .. string.char(table.unpack(row)) end
  local raw, blocks = table.concat(rows), {}
  for at = 1, #raw, 65535 do
    local block = raw:sub(at, at + 65534)
    blocks[#blocks + 1] = string.pack("<BI2I2", at + 65535 > #raw and 1 or 0, #block, ~#block & 0xFFFF) .. block
  end
  local data = "\x78\x01" .. table.concat(blocks) .. string.pack(">I4", adler32(raw))
  return "\x89PNG\r\n\x1a\n" .. chunk("IHDR", string.pack(">I4I4BBBBB", image:size(1), image:size(0), 8, 0, 0, 0, 0))
    .. chunk("IDAT", data) .. chunk("IEND", "")
end

-- What the src of an <img> takes.
function picture.address(image) return "data:image/png;base64," .. picture.base64(picture.png(image)) end

return picture
