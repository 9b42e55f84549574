-- Argo CD itself does not assess Applications; without this, one in an earlier wave is not waited for.
local health = (obj.status or {}).health or {}
if health.status == nil then
  return { status = "Progressing", message = "Waiting for Argo CD to look at this application" }
end
return { status = health.status, message = health.message or "" }
