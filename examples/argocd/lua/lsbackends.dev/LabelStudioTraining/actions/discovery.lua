local waits = obj.status ~= nil and obj.status.phase == "AwaitingApproval"
return { ["promote"] = { ["disabled"] = not waits, ["displayName"] = "Promote its version" } }
