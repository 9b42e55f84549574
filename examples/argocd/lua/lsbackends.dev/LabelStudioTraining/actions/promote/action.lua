obj.metadata.annotations = obj.metadata.annotations or {}
obj.metadata.annotations["lsbackends.dev/approved"] = "true"
return obj
