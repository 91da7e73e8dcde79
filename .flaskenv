FLASK_APP=leadapp
