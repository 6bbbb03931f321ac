package sandbox_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	"opscom-import/importer/sandbox"
)

func ExampleNew() {
	s, err := sandbox.New(sandbox.Config{Client: "OC_TRIAL", Token: "trial-token"})
	if err != nil {
		log.Fatal(err)
	}
	server, err := s.Listen("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer func() {
		http.DefaultClient.CloseIdleConnections()
		if err := server.Close(); err != nil {
			log.Fatal(err)
		}
	}()
	for _, profile := range []string{
		`{"apiToken":"trial-token","unique_id":"900123456","login_source":"SSO","city":"Gatineau"}`,
		`{"apiToken":"trial-token","unique_id":"900123457","login_source":"SSO","province":"Quebec"}`,
	} {
		response, err := http.Post(server.URL+"/api/OC_TRIAL/v1/profiles/push", "application/json", strings.NewReader(profile))
		if err != nil {
			log.Fatal(err)
		}
		answer, err := io.ReadAll(response.Body)
		if err != nil {
			log.Fatal(err)
		}
		if err := response.Body.Close(); err != nil {
			log.Fatal(err)
		}
		fmt.Println(response.StatusCode, string(answer))
	}
	fmt.Println("people:", s.People())
	// Output:
	// 200 {"status":"success","reference_id":1001}
	// 400 {"ErrorCode":9030,"ErrorMessage":"A value is longer than its limit."}
	// people: 1
}

func ExampleParseFaults() {
	_, err := sandbox.ParseFaults("latency=20ms,drop-befor=1%")
	fmt.Println(strings.SplitAfter(err.Error(), ".")[0])
	// Output:
	// there is no fault "drop-befor"; the nearest is "drop-before".
}
