-- Makes wrk post one profile over and over, and print what it did as a line.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"apiToken":"bench-token","unique_id":"900000001","login_source":"SSO","first_name":"Zoë","last_name":"Tremblay",'
  .. '"user_name":"user1","email":"user1@example.edu","street":"1 College Street","city":"Ottawa","province":"ON","postal_code":"K1A 0B1"}'

function done(summary, latency, requests)
  local e = summary.errors
  print(string.format("requests %d microseconds %d errors %d", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout))
end
