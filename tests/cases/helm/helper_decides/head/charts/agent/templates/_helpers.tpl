{{/*
Where the engine listens, /var/run/docker.sock or the like
*/}}
{{- define "agent.socket" -}}
{{- if eq .Values.os "windows" -}}
{{- .Values.socket | default `\\.\pipe\docker_engine` -}}
{{- else -}}
/run/containerd/containerd.sock
{{- end -}}
{{- end -}}
