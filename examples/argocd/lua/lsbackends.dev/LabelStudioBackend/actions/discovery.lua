local suspended = obj.spec.suspend == true
return {
  ["train"] = { ["disabled"] = suspended, ["displayName"] = "Train now" },
  ["pause"] = { ["disabled"] = suspended, ["displayName"] = "Pause" },
  ["resume"] = { ["disabled"] = not suspended, ["displayName"] = "Resume" },
}
