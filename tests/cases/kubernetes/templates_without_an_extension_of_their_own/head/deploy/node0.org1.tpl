apiVersion: apps/v1
kind: Deployment
metadata:
  name: $name
spec:
  template:
    spec:
      containers:
        - name: node
          image: acme/node
          volumeMounts:
            - {name: run, mountPath: /host/run}
      volumes:
        - name: run
          hostPath:
            path: /var/run
