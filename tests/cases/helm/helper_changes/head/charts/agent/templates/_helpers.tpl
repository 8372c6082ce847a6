{{- define "agent.socket" -}}
/var/run/docker.sock
{{- end -}}
