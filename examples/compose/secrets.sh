#!/bin/sh
# Makes the passwords for compose.yaml in the folder `secrets`, once: what is there stays as it is.
set -eu
cd "$(dirname "$0")/../.."

# Containers read the files as users of their own; the folder keeps everybody else on this machine out.
mkdir -p secrets
chmod 700 secrets

random() {
    # 40 hexadecimal digits, which is the form of Label Studio's tokens.
    od -A n -N 20 -t x1 /dev/urandom | tr -d ' \n'
}

# Write what comes on standard input to secrets/$1, whole or not at all, unless it is there.
keep() {
    [ -s "secrets/$1" ] && return
    cat > "secrets/$1.new"
    chmod 644 "secrets/$1.new"
    mv "secrets/$1.new" "secrets/$1"
}

random | keep label-studio-token
keep label-studio <<END
export LABEL_STUDIO_USERNAME=admin@example.com
export LABEL_STUDIO_PASSWORD=$(random)
export LABEL_STUDIO_USER_TOKEN=$(cat secrets/label-studio-token)
END
printf 'label-studio:%s\n' "$(random)" | keep basic-auth
printf 'requirepass %s\n' "$(random)" | keep redis
sed 's|^requirepass \(.*\)$|redis://:\1@redis:6379/0|' secrets/redis | keep redis-url

echo "Label Studio's first login, and the backend's for its page (label-studio:...), from the folder secrets:"
sed -n 's/^export LABEL_STUDIO_USERNAME=/  user      /p; s/^export LABEL_STUDIO_PASSWORD=/  password  /p' secrets/label-studio
sed 's/^/  page      /' secrets/basic-auth
