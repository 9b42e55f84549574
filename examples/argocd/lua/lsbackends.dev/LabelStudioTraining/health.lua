-- Succeeded is Unknown while it waits or runs, and final after that. An older status does not count.
local status = obj.status or {}
local message = status.message or ""
if status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "Waiting for the operator to look at this training" }
end

local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition.status
end

if conditions.Stalled == "True" then
  return { status = "Degraded", message = message }
end
if conditions.Succeeded == nil or conditions.Succeeded == "Unknown" then
  return { status = "Progressing", message = message }
end
if status.phase == "AwaitingApproval" then
  return { status = "Suspended", message = message }
end
return { status = "Healthy", message = message }
