{{- define "lsbackends.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- /* `<release>-lsbackends`, or the release's name alone where that says it. 40 characters leave room for what is added. */ -}}
{{- define "lsbackends.fullname" -}}
{{- $name := include "lsbackends.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "lsbackends.operator" -}}
{{- include "lsbackends.fullname" . -}}-operator
{{- end -}}

{{- define "lsbackends.serviceAccount" -}}
{{- default (include "lsbackends.operator" .) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "lsbackends.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/name: {{ include "lsbackends.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: lsbackends
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* They cannot be changed in an upgrade. */ -}}
{{- define "lsbackends.selector" -}}
app.kubernetes.io/name: {{ include "lsbackends.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "lsbackends.image" -}}
{{- $name := printf "%s/%s" .Values.image.registry .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{ $name }}@{{ .Values.image.digest }}
{{- else -}}
{{ $name }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{- /* The namespaces that are served, as JSON: none for all of them. */ -}}
{{- define "lsbackends.namespaces" -}}
{{- if eq .Values.scope "Namespaced" -}}
{{- default (list .Release.Namespace) .Values.namespaces | uniq | toJson -}}
{{- else -}}
[]
{{- end -}}
{{- end -}}

{{- /* The options that the operator and its end have in common. */ -}}
{{- define "lsbackends.options" -}}
- --lease-namespace={{ .Release.Namespace }}
- --lease-duration={{ .Values.leaseDuration }}
{{- range include "lsbackends.namespaces" . | fromJsonArray }}
- --namespace={{ . }}
{{- end }}
{{- end -}}

{{- define "lsbackends.podSecurity" -}}
{{- if .Values.podSecurityContext.enabled -}}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .Values.podSecurityContext.runAsUser }}
  runAsGroup: {{ .Values.podSecurityContext.runAsGroup }}
  seccompProfile:
    type: RuntimeDefault
{{- end -}}
{{- end -}}

{{- define "lsbackends.placing" -}}
{{- with concat .Values.global.imagePullSecrets .Values.imagePullSecrets | uniq }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- /* What the operator's container and that of its end have in common. */ -}}
{{- define "lsbackends.container" -}}
image: {{ include "lsbackends.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
command: [lsb, operator]
env:
  - name: HOME
    value: /tmp
  - name: LSB_LOG_LEVEL
    value: {{ .Values.logLevel }}
  {{- range $name, $value := .Values.extraEnvironmentVars }}
  - name: {{ $name }}
    value: {{ $value | quote }}
  {{- end }}
  {{- range $name, $from := .Values.extraEnvironmentSecrets }}
  - name: {{ $name }}
    valueFrom:
      secretKeyRef:
        name: {{ $from.secretName }}
        key: {{ $from.secretKey }}
  {{- end }}
{{- with .Values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
  readOnlyRootFilesystem: true
  {{- if not .Values.podSecurityContext.enabled }}
  runAsNonRoot: true
  seccompProfile:
    type: RuntimeDefault
  {{- end }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "lsbackends.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* `Role` with its binding, from (dict "root" $ "name" … "namespace" … "rules" … "account" … "annotations" …); no namespace: for the cluster. */ -}}
{{- define "lsbackends.role" -}}
{{- $kind := ternary "Role" "ClusterRole" (not (empty .namespace)) -}}
{{- range $part := list $kind (printf "%sBinding" $kind) }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $part }}
metadata:
  name: {{ $.name }}
  {{- with $.namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "lsbackends.labels" $.root | nindent 4 }}
    app.kubernetes.io/component: operator
  {{- with $.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- if eq $part $kind }}
rules:
  {{- toYaml $.rules | nindent 2 }}
{{- else }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ $.name }}
subjects:
  - kind: ServiceAccount
    name: {{ $.account }}
    namespace: {{ $.root.Release.Namespace }}
{{- end }}
{{- end }}
{{- end -}}
