{{- define "agent.socket" -}}
/tmp/agent.sock
{{- end -}}
