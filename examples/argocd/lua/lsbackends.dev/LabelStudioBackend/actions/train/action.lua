-- One training a minute at most: the second one of a minute has a name that is taken, and nothing happens.
local os = require("os")
local owner = {
  apiVersion = obj.apiVersion,
  kind = obj.kind,
  name = obj.metadata.name,
  uid = obj.metadata.uid,
  controller = true,
}
local training = {
  apiVersion = obj.apiVersion,
  kind = "LabelStudioTraining",
  metadata = {
    name = obj.metadata.name .. "-" .. os.date("!%y%m%d%H%M"),
    namespace = obj.metadata.namespace,
    labels = { ["lsbackends.dev/backend"] = obj.metadata.name },
    ownerReferences = { owner },
  },
  spec = { backend = obj.metadata.name, reason = "Manual" },
}
return { { operation = "create", resource = training } }
