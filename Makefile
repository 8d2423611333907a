# What `plakar pkg build` runs: it then packs the files that manifest.yaml names, so they are only laid out here.
all:
	npm ci --no-audit --no-fund --loglevel=error
	npm run plakar:package -- --manifest manifest.yaml $(if $(RUNTIME),--runtime "$(RUNTIME)")
