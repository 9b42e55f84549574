-- The conditions follow kstatus (Ready, Reconciling, Stalled). Nothing counts that is about an older spec.
local status = obj.status or {}
if status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "Waiting for the operator to look at this spec" }
end

local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end

local function is(kind, value)
  return conditions[kind] ~= nil and conditions[kind].status == value
end

local function told(health, kind)
  local condition = conditions[kind]
  return { status = health, message = condition.reason .. ": " .. condition.message }
end

if is("Suspended", "True") then
  return told("Suspended", "Suspended")
end
if is("Stalled", "True") then
  return told("Degraded", "Stalled")
end
if conditions.Ready == nil then
  return { status = "Progressing", message = "Waiting for the operator to say how it stands" }
end
if not is("Ready", "True") then
  -- Pods that crash are not on their way; the operator tells the two apart in the phase.
  return told(status.phase == "Degraded" and "Degraded" or "Progressing", "Ready")
end
if status.phase == "Degraded" then
  if is("Registered", "False") then
    return told("Degraded", "Registered")
  end
  if is("RolledBack", "True") then
    return told("Degraded", "RolledBack")
  end
  return told("Degraded", "Ready")
end
if is("TrainingSucceeded", "False") then
  -- The version before serves on, so a training that failed is nobody's emergency.
  return told("Healthy", "TrainingSucceeded")
end
return { status = "Healthy", message = conditions.Ready.message }
