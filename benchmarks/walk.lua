-- wrk script: walk over many keys with GET or PUT, and print the run's figures as one line of JSON.
-- Arguments behind `--`: the method, the number of keys. Must walk as `requests` in load.py does.

local STRIDE = 7919 -- a prime: neighbouring requests touch keys that are not neighbours

local method, keys, number, head

function init(args)
  method, keys, number = args[1], tonumber(args[2]), -1
  head = " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port .. "\r\n"
end

function request()
  number = number + 1
  local path = method .. " /key/key-" .. string.format("%d", number * STRIDE % keys)
  if method == "GET" then
    return path .. head .. "\r\n"
  end
  local body = string.format('"value-%d"', number)
  return path .. head .. "Content-Type: application/json\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

function done(summary, latency, requests)
  local lost = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format(
    'figures {"requests": %d, "seconds": %.6f, "refused": %d, "lost": %d, "p50_ms": %.4f, "p99_ms": %.4f}\n',
    summary.requests, summary.duration / 1e6, summary.errors.status, lost,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
